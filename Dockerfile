# versiond in an image that holds the program, the authorities that it trusts and its data directory, and nothing else.
#
#   docker build -t versiond .
#
# Both base images can come from a registry of your own. The second one may hold more, say a shell:
#
#   docker build -t versiond --build-arg GO_IMAGE=registry.example.net/golang:1.26 --build-arg BASE_IMAGE=debian:stable-slim .
ARG GO_IMAGE=golang:1.26
ARG BASE_IMAGE=scratch

FROM ${GO_IMAGE} AS build
# Where modules come from, for networks with a proxy of their own; empty is Go's default.
ARG GOPROXY
WORKDIR /src
# The modules are fetched again only when one of these two changes.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Without gin's MessagePack, which nothing here speaks and which is a sixth of the program.
# Static: the image below has no C library.
RUN CGO_ENABLED=0 go build -tags nomsgpack -trimpath -ldflags='-s -w' -o /image/program/versiond .
# The authorities that a machine knows, for a MySQL or a Redis with TLS: an empty image knows none. A new volume takes the owner of the
# directory that it covers.
RUN install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/program/etc/ssl/certs/ca-certificates.crt && mkdir -p /image/state/data /image/state/certs /image/state/ca

FROM ${BASE_IMAGE}
COPY --from=build /image/program/ /
COPY --from=build --chown=65532:65532 /image/state/ /
USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
ENV VERSIOND_DATA_DIR=/data
ENTRYPOINT ["/versiond"]
