// Package compose holds the proof that docker-compose.yml works: a test, behind the build tag compose,
// that runs it with a Docker engine, as it is in a clean clone and as .env.example closes it.
//
// It takes the images from MYSQL_IMAGE, REDIS_IMAGE and VERSIOND_IMAGE, and the command from
// DOCKER_COMPOSE; without them the official images, an image built here, and docker-compose. Ports 8081
// to 8084 have to be free.
package compose
