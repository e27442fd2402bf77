# One image with all programs: docker build -t proofline .
FROM debian:trixie-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libnats-dev libpq-dev \
        libsodium-dev libssl-dev libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libcmocka-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
# Without the bench's null drivers: an image must not be able to publish nothing.
RUN cmake --preset release -DPROOFLINE_BENCH=OFF \
    && ninja -C build/release proofline-generator proofline-publisher proofline-devnode proofctl \
    && DESTDIR=/image cmake --install build/release --prefix /usr --strip
# The packages that hold the shared libraries in use, whatever Debian calls them in this release.
RUN ldd /image/usr/bin/* | awk '/=> \// { print $3 }' | sort -u | xargs -n 1 basename \
    | while read -r library; do dpkg -S "*/$library" | cut -d : -f 1; done | sort -u > /image/packages

FROM debian:trixie-slim
COPY --from=build /image/packages /tmp/packages
RUN apt-get update && xargs apt-get install -y --no-install-recommends ca-certificates < /tmp/packages \
    && rm -rf /var/lib/apt/lists/* /tmp/packages \
    && groupadd --gid 65532 proofline \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin proofline
COPY --from=build /image/usr /usr
USER 65532:65532
# The generator's and the publisher's /healthz, /readyz and /metrics.
EXPOSE 9464 9465
CMD ["proofctl", "--help"]
