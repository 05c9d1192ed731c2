{{/* Configuration of our own NATS servers. Who may log in comes from a secret: through the environment, or as a file beside this one. */}}
{{- define "motia.natsConfig" -}}
{{- $fullname := printf "%s-nats" (include "motia.fullname" .) -}}
server_name: $POD_NAME
port: 4222
http_port: 8222
pid_file: /var/run/nats/nats.pid
max_payload: {{ .Values.nats.maxPayload }}
lame_duck_grace_period: 5s
lame_duck_duration: 30s
jetstream {
  store_dir: /data
  max_memory_store: {{ .Values.nats.memoryStore }}
  {{- with .Values.nats.syncInterval }}
  sync_interval: {{ . }}
  {{- end }}
}
{{- if .Values.nats.accessSecret }}
include access.conf
{{- else }}
authorization {
  user: $NATS_USER
  password: $NATS_PASSWORD
}
{{- end }}
{{- if gt (int .Values.nats.replicas) 1 }}
cluster {
  name: {{ $fullname }}
  port: 6222
  routes: [
    {{- range until (int .Values.nats.replicas) }}
    nats://{{ $fullname }}-{{ . }}.{{ $fullname }}-headless.{{ $.Release.Namespace }}.svc:6222
    {{- end }}
  ]
}
{{- end }}
{{- end -}}
