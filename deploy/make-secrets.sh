#!/bin/sh
# Makes the secrets of docker-compose.yml in secrets/ beside this file, each once: those that are there stay.
set -eu
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"
printf '*\n' > "$folder/.gitignore"
for name in nats_password admin_token grafana_password; do
  [ -s "$folder/$name" ] && continue
  # Readable by all, since containers run as users of their own; the folder is not.
  printf 's%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" > "$folder/$name"
  chmod 644 "$folder/$name"
  echo "$folder/$name is made"
done
chmod 711 "$folder"
