# One image for all that Holdfast runs in containers: server, movers, guards, gates. `script/image` builds it: it puts
# the packages for the image's platform beside the sources. Nothing runs while it is built, so that every platform's
# image can be built on any machine.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
COPY node_modules /opt/holdfast/node_modules
COPY bin /opt/holdfast/bin
COPY packages /opt/holdfast/packages
COPY LICENSE package.json /opt/holdfast/
ENV PATH=/opt/holdfast/bin:/opt/holdfast/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOLDFAST_LISTEN=0.0.0.0:8420
EXPOSE 8420
ENTRYPOINT ["holdfast"]
CMD ["server"]
