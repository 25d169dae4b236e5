// The colours that were chosen, before anything is painted; nothing is the system's choice.
const theme = localStorage.getItem('versiond.theme');
if (theme) document.documentElement.dataset.theme = theme;
