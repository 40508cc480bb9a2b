# manymage itself: one static program and nothing else. `scripts/mage build push` compiles it for each platform
# into dist/bin first; CA certificates are compiled in.
FROM scratch
ARG TARGETPLATFORM
COPY dist/bin/${TARGETPLATFORM}/manymage /usr/local/bin/manymage
ENV PATH=/usr/local/bin
WORKDIR /tmp
WORKDIR /src
ENTRYPOINT ["manymage"]
