# codeloupe in a container: docker build -t codeloupe .
# An agent starts it as: docker run -i --rm -v codeloupe:/data -v "$PWD:$PWD:ro" -w "$PWD" codeloupe
# (the same path inside as outside, because an index is kept under its project's path).
# It is made by the same make targets as on any machine; the model is in the image, so running it needs no network.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ARG MODEL=all-minilm-l6-v2
# The image runs on other processors than the one that builds it: for x86-64, any with AVX2.
ENV CMAKE_ARGS="-DGGML_NATIVE=OFF" \
    CODELOUPE_MODEL_NAME=${MODEL} \
    CODELOUPE_MODEL_DIRECTORY=/opt/codeloupe/models
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/codeloupe
COPY Makefile pyproject.toml README.md LICENSE ./
COPY requirements requirements
# Of the sources only what says that they are packages, so that a change to them compiles nothing again.
COPY storage/__init__.py storage/
COPY embedding/__init__.py embedding/
COPY indexer/__init__.py indexer/
COPY mcp_server/__init__.py mcp_server/
RUN make .venv/run.installed && .venv/bin/python -m pip uninstall --yes cmake ninja
COPY . .
RUN make model && chmod -R a+rX models

FROM python:${PYTHON}-slim
ARG MODEL=all-minilm-l6-v2
# What llama.cpp's threads need.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data codeloupe \
    && install --directory --mode 1777 /data
COPY --from=build /opt/codeloupe /opt/codeloupe
# Indexes and caches live in /data, also those of a user given with --user "$(id -u)", who reads what only they may.
ENV PATH=/opt/codeloupe/.venv/bin:$PATH \
    HOME=/data \
    CODELOUPE_MODEL_NAME=${MODEL} \
    CODELOUPE_MODEL_DIRECTORY=/opt/codeloupe/models
VOLUME /data
USER codeloupe
ENTRYPOINT ["codeloupe"]
CMD ["serve"]
