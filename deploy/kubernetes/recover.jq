# Makes of a StatefulSet, given as JSON, the pod of one of its nodes, which runs another command on the node's volume ($args).
# It has no labels: neither the set nor a Service takes it for one of theirs.
{
  apiVersion: "v1",
  kind: "Pod",
  metadata: {name: $node, namespace: .metadata.namespace},
  spec: (
    .spec.template.spec
    | .restartPolicy = "Never"
    | .volumes += [{name: "data", persistentVolumeClaim: {claimName: ("data-" + $node)}}]
    | .containers[0] |= (.args = $args | del(.livenessProbe, .readinessProbe, .lifecycle))
  )
}
