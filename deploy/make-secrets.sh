#!/bin/sh
# Makes the secrets of docker-compose.yml in secrets/ beside this file, each once: those that are there stay. With `access` also
# the keys of docker-compose.access.yml, and what each of them may do, by the steps of the project; more arguments are for nats-config.
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
[ "${1:-}" = access ] || exit 0
shift
MOTIA_APP="${MOTIA_APP:-app}" node node_modules/motia/dist/cli/main.js nats-config --admin-api --out "$folder/nats" "$@"
chmod 711 "$folder/nats"
chmod 644 "$folder"/nats/*.nk
