# One image for all that Holdfast runs in containers: server, movers, guards, gates. `script/image` builds it: it puts
# the packages for the image's platform beside the sources.
#
# `plain` runs nothing while it is built, so that every platform's image can be built on any machine. `compiled` is for the
# platform that builds it: each program has run once, and starts in half the time from then on.
ARG BASE=debian:bookworm-slim
FROM ${BASE} AS plain
COPY node_modules /opt/holdfast/node_modules
COPY bin /opt/holdfast/bin
COPY packages /opt/holdfast/packages
COPY LICENSE package.json /opt/holdfast/
ENV PATH=/opt/holdfast/bin:/opt/holdfast/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOLDFAST_LISTEN=0.0.0.0:8420
EXPOSE 8420
ENTRYPOINT ["holdfast"]
CMD ["server"]

FROM plain AS compiled
ENV NODE_COMPILE_CACHE=/opt/holdfast/compiled
RUN set -e; cd /opt/holdfast/packages; holdfast help >/dev/null; holdfast server --help >/dev/null; holdfast gate --help >/dev/null; \
    for program in mover/src/main.ts docker/src/freeze/guard-main.ts docker/src/host-files/look-main.ts docker/src/host-files/folder-main.ts; do \
      timeout 60 node --max-semi-space-size=4 --heap-growing-percent=30 "$program" </dev/null >/dev/null 2>&1 || true; \
    done; \
    test -n "$(ls "$NODE_COMPILE_CACHE")"
