// Package config knows every setting of versiond: its names, its default, where it may be given, and
// which values are right.
//
// A setting may be given in four places, and the first that has it wins:
//
//  1. a flag (--data-dir),
//  2. an environment variable (VERSIOND_DATA_DIR; an empty one counts as not set, because that is
//     what docker-compose passes for a variable nobody filled in),
//  3. the YAML file that --config or VERSIOND_CONFIG names (dataDir; null counts as not set),
//  4. the defaults of GetConfig.
//
// A list is taken whole from the place that wins; lists are never merged.
//
// Nothing is guessed: an unknown key, an unknown VERSIOND_ variable, a key given twice, a value of the
// wrong form and one that a shell or a file has wrapped in quotes, blanks or line ends are errors, and all
// of them are reported together. The variables by which Kubernetes tells of a Service named "versiond"
// (VERSIOND_SERVICE_HOST, VERSIOND_PORT=tcp://…) are passed over.
//
// The struct tags of Config are the one list of settings; flags, environment names, the strict file
// reader and Settings all derive from them. Nothing here is safe to change while others read it:
// load once, then pass the value on.
package config
