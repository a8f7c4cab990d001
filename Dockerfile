# SPDX-License-Identifier: Apache-2.0
# make static && docker build -t erlclu:0.1.0 .
# Both architectures, from one machine:
#   make static static-arm64 && docker buildx build --platform linux/amd64,linux/arm64 -t erlclu:0.1.0 --push .
# Nothing but the program: no shell, no libc, no resolver of the system's.
FROM scratch
# Builders that know no TARGETARCH, as docker's before 23, take amd64; or give it them by --build-arg.
ARG TARGETARCH
COPY build/image/${TARGETARCH:-amd64}/erlclu /erlclu
USER 10000:10000
# epmd, the page, distribution (where --listen-port says so), metrics
EXPOSE 4369 8080 9100 9153
ENTRYPOINT ["/erlclu"]
CMD ["run"]
