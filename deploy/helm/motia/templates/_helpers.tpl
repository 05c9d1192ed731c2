{{/* Names, labels, and what all pods of the app have in common. */}}

{{- define "motia.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "motia.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "motia.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "motia.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "motia.selector" -}}
app.kubernetes.io/name: {{ include "motia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "motia.labels" -}}
{{ include "motia.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | toString | trunc 63 | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* The app's image, or that of Python: (list $ "image" | "pythonImage") */}}
{{- define "motia.image" -}}
{{- $root := index . 0 -}}
{{- $of := index $root.Values (index . 1) -}}
{{- $repository := default $root.Values.image.repository $of.repository -}}
{{- $tag := default $root.Values.image.tag $of.tag -}}
{{- printf "%s:%s" (required "image.repository is the image of your app: --set image.repository=…" $repository) (required "image.tag is the version of your image: --set image.tag=…" $tag) -}}
{{- end -}}

{{/* The secret with the login to the broker, or with accessSecret what else goes with it; empty for none. */}}
{{- define "motia.natsSecret" -}}
{{- if .Values.nats.existingSecret -}}
{{- .Values.nats.existingSecret -}}
{{- else if and .Values.nats.enabled (not .Values.nats.accessSecret) -}}
{{- include "motia.fullname" . }}-nats-auth
{{- end -}}
{{- end -}}

{{- define "motia.adminSecret" -}}
{{- .Values.admin.existingSecret | default (printf "%s-admin" (include "motia.fullname" .)) -}}
{{- end -}}

{{- define "motia.natsUrl" -}}
{{- if .Values.nats.enabled -}}
nats://{{ include "motia.fullname" . }}-nats:4222
{{- else -}}
{{- required "nats.url is the address of your NATS servers, since nats.enabled is false" .Values.nats.url -}}
{{- end -}}
{{- end -}}

{{/* On how many servers broker streams are kept: what is asked for, else three where there are as many servers of our own. */}}
{{- define "motia.streamReplicas" -}}
{{- if .Values.nats.streamReplicas -}}
{{- .Values.nats.streamReplicas -}}
{{- else if .Values.nats.enabled -}}
{{- if ge (int .Values.nats.replicas) 3 }}3{{ else }}1{{ end -}}
{{- end -}}
{{- end -}}

{{/* The entries of that secret that are used, as JSON: a key takes the place of a login. */}}
{{- define "motia.natsSecretKeys" -}}
{{- if not (include "motia.natsSecret" .) -}}
{}
{{- else if .Values.nats.accessSecret -}}
{{- pick .Values.nats.secretKeys "ca" | toJson -}}
{{- else -}}
{{- toJson .Values.nats.secretKeys -}}
{{- end -}}
{{- end -}}

{{/* The environment of every process of the app: (list $ user extra) */}}
{{- define "motia.env" -}}
{{- $root := index . 0 -}}
{{- $user := index . 1 -}}
{{- $extra := index . 2 | default dict -}}
{{- $secret := include "motia.natsSecret" $root -}}
{{- $keys := include "motia.natsSecretKeys" $root | fromJson -}}
- name: NATS_URL
  value: {{ include "motia.natsUrl" $root | quote }}
{{- range $variable, $key := dict "NATS_USER" $keys.user "NATS_PASSWORD" $keys.password }}
{{- if $key }}
- name: {{ $variable }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ $key }} } }
{{- end }}
{{- end }}
{{- range $variable, $key := dict "NATS_CREDS" $keys.creds "NATS_CA" $keys.ca }}
{{- if $key }}
- name: {{ $variable }}
  value: /etc/motia/nats/{{ $key }}
{{- end }}
{{- end }}
{{- if $root.Values.nats.accessSecret }}
- name: NATS_NKEY
  value: /etc/motia/access/{{ $user }}.nk
{{- if ne $user "provision" }}
- name: MOTIA_PROVISION
  value: "off"
{{- end }}
{{- end }}
{{- with $root.Values.app }}
- name: MOTIA_APP
  value: {{ . | quote }}
{{- end }}
{{- with include "motia.streamReplicas" $root }}
- name: MOTIA_REPLICAS
  value: {{ . | quote }}
{{- end }}
- name: MOTIA_METRICS_PORT
  value: "9464"
- name: LOG_LEVEL
  value: {{ $root.Values.logLevel }}
- name: HOME
  value: /tmp
- name: PYTHONDONTWRITEBYTECODE
  value: "1"
{{- range $name, $value := merge (dict) $extra $root.Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Files that a pod of the app may write, and the secrets that it reads as files, of the seeds its own alone: (list $ user) */}}
{{- define "motia.volumes" -}}
{{- $root := index . 0 -}}
{{- $user := index . 1 -}}
{{- $keys := include "motia.natsSecretKeys" $root | fromJson -}}
- name: tmp
  emptyDir: {}
- name: motia
  emptyDir: {}
{{- if or $keys.creds $keys.ca }}
- name: nats
  secret: { secretName: {{ include "motia.natsSecret" $root }} }
{{- end }}
{{- with $root.Values.nats.accessSecret }}
- name: access
  secret: { secretName: {{ . }}, items: [{ key: {{ $user }}.nk, path: {{ $user }}.nk }] }
{{- end }}
{{- end -}}

{{- define "motia.volumeMounts" -}}
{{- $keys := include "motia.natsSecretKeys" . | fromJson -}}
- name: tmp
  mountPath: /tmp
- name: motia
  mountPath: {{ .Values.image.workingDir }}/.motia
{{- if or $keys.creds $keys.ca }}
- name: nats
  mountPath: /etc/motia/nats
  readOnly: true
{{- end }}
{{- if .Values.nats.accessSecret }}
- name: access
  mountPath: /etc/motia/access
  readOnly: true
{{- end }}
{{- end -}}

{{/*
One container of the app, without what only servers have: (dict "root" $ "name" "user" "args" "image" "env" "resources")
`user` is its login to a broker on which each role has its own.
*/}}
{{- define "motia.container" -}}
{{- $root := .root -}}
- name: {{ .name }}
  image: {{ include "motia.image" (list $root (.image | default "image")) | quote }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  command: {{ toJson $root.Values.image.command }}
  args: {{ toJson .args }}
  workingDir: {{ $root.Values.image.workingDir }}
  env:
    {{- include "motia.env" (list $root .user .env) | nindent 4 }}
    {{- with .secretEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $root.Values.envFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml $root.Values.containerSecurityContext | nindent 4 }}
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "motia.volumeMounts" $root | nindent 4 }}
{{- end -}}

{{/* What every pod of the app begins with. */}}
{{- define "motia.podCommon" -}}
serviceAccountName: {{ include "motia.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}
