module versiond

go 1.26.0
