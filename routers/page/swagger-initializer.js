// Addresses are relative, because a proxy may serve the node under a path of its own.
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: new URL("../openapi.yaml", window.location.href).href,
    dom_id: "#swagger-ui",
    deepLinking: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    onComplete: () => window.ui.layoutActions.show(["operations-tag", "peer"], false),
  });
};
