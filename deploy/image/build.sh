#!/bin/sh
# Builds the project in the current folder, in which the packages are installed, and leaves in .image/ what an image needs:
# .image/node with what was built and its packages, .image/python with the environment of Python steps, if there are some.
set -eu

motia() {
  node node_modules/motia/dist/cli/main.js "$@"
}

has_python() {
  [ -n "$(find src steps -name '*.py' 2>/dev/null | head -n 1)" ]
}

# Debian's Python comes without what makes environments.
if has_python && [ -z "${MOTIA_PYTHON:-}" ] && ! python3 -c 'import ensurepip' 2>/dev/null; then
  apt-get update
  apt-get install -y --no-install-recommends python3-venv
fi

motia install
motia build
npm prune --omit=dev --ignore-scripts --no-audit --no-fund

rm -rf .image
mkdir -p .image/node .image/python
cp -R package.json dist .image/node
mv node_modules .image/node
if [ -d python_modules ]; then mv python_modules .image/python; fi
