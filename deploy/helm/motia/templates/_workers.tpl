{{/* A group of workers, and how it is scaled: (dict "root" $ "group" "component" "image" "startSeconds") */}}
{{- define "motia.workers" -}}
{{- $root := .root -}}
{{- $group := .group -}}
{{- $scaling := default dict $group.autoscaling -}}
{{- $by := default "none" $scaling.by -}}
{{- $name := printf "%s-%s" .component $group.name -}}
{{- $args := list .component -}}
{{- range $flag := list "steps" "topics" "flows" -}}
{{- range (index $group $flag) -}}
{{- $args = append $args (printf "--%s=%s" $flag .) -}}
{{- end -}}
{{- end -}}
{{- with $group.concurrency -}}{{- $args = append $args (printf "--concurrency=%v" .) -}}{{- end -}}
{{- with $group.threads -}}{{- $args = append $args (printf "--threads=%v" .) -}}{{- end -}}
{{- with $group.processes -}}{{- $args = append $args (printf "--processes=%v" .) -}}{{- end -}}
{{ include "motia.role" (dict "root" $root "component" .component "name" $name "args" $args "image" .image "env" $group.env "settings" $group "autoscaled" (ne $by "none") "startSeconds" .startSeconds) }}
{{- if eq $by "cpu" }}
---
{{ include "motia.hpa" (dict "root" $root "name" $name "component" .component "min" (default 1 $scaling.minReplicas) "max" (default 10 $scaling.maxReplicas) "cpu" (default 70 $scaling.targetCPU)) }}
{{- else if or (eq $by "queue") (eq $by "consumers") }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "motia.fullname" $root }}-{{ $name }}
  labels:
    {{- include "motia.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  scaleTargetRef:
    name: {{ include "motia.fullname" $root }}-{{ $name }}
  minReplicaCount: {{ hasKey $scaling "minReplicas" | ternary $scaling.minReplicas 1 }}
  maxReplicaCount: {{ default 10 $scaling.maxReplicas }}
  pollingInterval: 10
  cooldownPeriod: 300
  triggers:
    {{- if eq $by "queue" }}
    - type: prometheus
      metadata:
        serverAddress: {{ $root.Values.metrics.prometheusUrl | quote }}
        query: {{ include "motia.queueQuery" (list $root $group) | quote }}
        threshold: {{ default 50 $scaling.eventsPerReplica | toString | quote }}
    {{- else }}
    {{- $app := required "app is needed where workers are scaled by consumers: it begins the name of the broker stream" $root.Values.app }}
    {{- range required (printf "autoscaling.consumers of the workers %q names the consumers: motia generate helm-values lists them" $group.name) $scaling.consumers }}
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: {{ include "motia.monitoringEndpoint" $root | quote }}
        account: {{ ternary $app "$G" (not (empty $root.Values.nats.accessSecret)) }}
        stream: {{ $app }}_EVENTS
        consumer: {{ . | quote }}
        lagThreshold: {{ default 50 $scaling.eventsPerReplica | toString | quote }}
    {{- end }}
    {{- end }}
    {{- with $scaling.targetCPU }}
    - type: cpu
      metricType: Utilization
      metadata:
        value: {{ toString . | quote }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Events that wait for a group of workers or are with it, as the leading scheduler counts them. */}}
{{- define "motia.queueQuery" -}}
{{- $root := index . 0 -}}
{{- $group := index . 1 -}}
{{- $scaling := $group.autoscaling -}}
{{- if $scaling.query -}}
{{- $scaling.query -}}
{{- else -}}
{{- $labels := list -}}
{{- with $root.Values.app }}{{ $labels = append $labels (printf "app=%q" .) }}{{ end -}}
{{- $ids := default $group.steps $scaling.stepIds -}}
{{- if and $group.flows (not $scaling.stepIds) -}}
{{- fail (printf "autoscaling.stepIds of the workers %q names the steps of its flows, as motia queue shows them; or give autoscaling.query" $group.name) -}}
{{- else if and $group.topics $group.steps -}}
{{- fail (printf "the workers %q take steps and topics: give autoscaling.query" $group.name) -}}
{{- else if $ids -}}
{{- $labels = append $labels (printf "step=~%q" (include "motia.anyOf" $ids)) -}}
{{- else if $group.topics -}}
{{- $labels = append $labels (printf "topic=~%q" (include "motia.anyOf" $group.topics)) -}}
{{- end -}}
{{- $selector := printf "{%s}" (join "," $labels) -}}
{{- printf "sum(motia_queue_depth%s) + sum(motia_queue_in_flight%s)" $selector $selector -}}
{{- end -}}
{{- end -}}

{{/* A regular expression for one of these texts. */}}
{{- define "motia.anyOf" -}}
{{- $texts := list -}}
{{- range . }}{{ $texts = append $texts (regexReplaceAll "[.+*?^$()\\[\\]{}|\\\\]" . "\\${0}") }}{{ end -}}
{{- join "|" $texts -}}
{{- end -}}

{{- define "motia.monitoringEndpoint" -}}
{{- if .Values.nats.enabled -}}
{{ include "motia.fullname" . }}-nats-headless.{{ .Release.Namespace }}.svc:8222
{{- else -}}
{{- required "nats.monitoringEndpoint is host:port of the monitoring of your NATS servers, for scaling by consumers" .Values.nats.monitoringEndpoint -}}
{{- end -}}
{{- end -}}
