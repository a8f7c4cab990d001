# SPDX-License-Identifier: Apache-2.0
# make static && docker build -t erlclu:0.1.0 .
# Nothing but the program: no shell, no libc, no resolver of the system's.
FROM scratch
COPY build/static/erlclu /erlclu
USER 10000:10000
# epmd, the page, distribution (where --listen-port says so), metrics
EXPOSE 4369 8080 9100 9153
ENTRYPOINT ["/erlclu"]
CMD ["run"]
