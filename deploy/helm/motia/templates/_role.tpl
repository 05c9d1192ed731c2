{{/*
A Deployment of one role, with its disruption budget.
(dict "root" $ "component" "name" "args" "image" "env" "secretEnv" "ports" "settings" "autoscaled" "startSeconds" "drainSeconds")
`settings` has replicas, resources, nodeSelector, tolerations.
*/}}
{{- define "motia.role" -}}
{{- $root := .root -}}
{{- $fullname := printf "%s-%s" (include "motia.fullname" $root) .name -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "motia.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not .autoscaled }}
  replicas: {{ .settings.replicas | default 1 }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    rollingUpdate: { maxUnavailable: 0, maxSurge: 25% }
  selector:
    matchLabels:
      {{- include "motia.selector" $root | nindent 6 }}
      motia/role: {{ .name }}
  template:
    metadata:
      labels:
        {{- include "motia.selector" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        motia/role: {{ .name }}
        motia/uses-broker: "true"
      {{- with $root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "motia.podCommon" $root | nindent 6 }}
      terminationGracePeriodSeconds: {{ add (.drainSeconds | default 0) 35 }} # 28 s for what has begun, and some to end
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "motia.selector" $root | nindent 14 }}
              motia/role: {{ $.name }}
        {{- end }}
      {{- with .settings.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .settings.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if $root.Values.provision.enabled }}
      initContainers:
        {{- $wait := printf "--wait=%v" $root.Values.provision.waitSeconds }}
        {{- include "motia.container" (dict "root" $root "name" "wait" "user" .name "args" (list "provision" $wait) "image" .image "env" .env) | nindent 8 }}
      {{- end }}
      containers:
        {{- include "motia.container" (dict "root" $root "name" .component "user" .name "args" .args "image" .image "env" .env "secretEnv" .secretEnv "resources" .settings.resources) | nindent 8 }}
          ports:
            {{- range $name, $port := .ports }}
            - { name: {{ $name }}, containerPort: {{ $port }} }
            {{- end }}
            - { name: ops, containerPort: 9464 }
          startupProbe:
            httpGet: { path: /health/live, port: ops }
            periodSeconds: 2
            failureThreshold: {{ div (.startSeconds | default 60) 2 }}
          livenessProbe:
            httpGet: { path: /health/live, port: ops }
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: /health/ready, port: ops }
            periodSeconds: 2
            timeoutSeconds: 2
      volumes:
        {{- include "motia.volumes" (list $root .name) | nindent 8 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "motia.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "motia.selector" $root | nindent 6 }}
      motia/role: {{ .name }}
{{- end -}}

{{/* Scaling by processor time: (dict "root" $ "name" "component" "min" "max" "cpu") */}}
{{- define "motia.hpa" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "motia.fullname" .root }}-{{ .name }}
  labels:
    {{- include "motia.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "motia.fullname" .root }}-{{ .name }}
  minReplicas: {{ .min }}
  maxReplicas: {{ .max }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .cpu }} }
{{- end -}}
