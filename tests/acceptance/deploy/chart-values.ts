/** Values of the chart, and what is to become of them. */
import type { Resource, Values } from '../../helpers/helm.ts';

export const image = { repository: 'registry.example/shop', tag: 'v1' };
const group = (more: Values) => ({ workers: [{ name: 'all', ...more }] });

/** All switches that go together. */
export const everything: Values = {
  app: 'shop',
  image: { ...image, pullSecrets: [{ name: 'pull' }] },
  pythonImage: { tag: 'v1-python' },
  env: { REGION: 'eu' },
  envFrom: [{ secretRef: { name: 'shop' } }],
  workers: [
    {
      name: 'web',
      steps: ['Order', 'Invoice'],
      flows: ['web'],
      concurrency: 20,
      threads: 4,
      autoscaling: { by: 'cpu', minReplicas: 2 },
    },
    { name: 'paid', topics: ['order.paid'], autoscaling: { by: 'queue', minReplicas: 0 } },
    { name: 'bill', steps: ['Bill'], autoscaling: { by: 'consumers', consumers: ['Bill__paid'] } },
  ],
  pythonWorkers: [{ name: 'ml', flows: ['ml'], processes: 2, replicas: 3 }],
  workbench: { enabled: true },
  nats: { syncInterval: 'always', storage: { size: '1Gi', className: 'fast' } },
  gateway: {
    autoscaling: { enabled: true },
    ingress: {
      enabled: true,
      className: 'nginx',
      hosts: ['shop.example'],
      tls: [{ secretName: 'tls', hosts: ['shop.example'] }],
    },
  },
  metrics: { podMonitor: { enabled: true }, prometheusRule: { enabled: true }, dashboard: { enabled: true } },
};

export const external: Values = {
  app: 'shop',
  image,
  nats: {
    enabled: false,
    url: 'tls://nats.example:4222',
    existingSecret: 'nats',
    secretKeys: { user: '', password: '', creds: 'app.creds', ca: 'ca.crt' },
  },
  admin: { enabled: false },
  networkPolicy: { enabled: false },
  provision: { enabled: false },
};

/** Each role with a key of its own, on our own servers and on others. */
export const access: Values = { ...everything, nats: { syncInterval: 'always', accessSecret: 'access' } };
export const externalAccess: Values = {
  app: 'shop',
  image,
  nats: {
    ...{ enabled: false, url: 'tls://nats.example:4222', accessSecret: 'access' },
    ...{ existingSecret: 'nats', secretKeys: { ca: 'ca.crt' } },
  },
};

export const container = (resource: Resource) => resource.spec.template.spec.containers[0];
export const environment = (resource: Resource): Record<string, unknown> =>
  Object.fromEntries(
    container(resource).env.map((each: Record<string, unknown>) => [each.name, each.value ?? each.valueFrom]),
  );
/** Values, and what a resource then says. */
export const SWITCHES: [
  what: string,
  values: Values,
  kind: string,
  name: string,
  look: (resource: Resource) => unknown,
  is: unknown,
][] = [
  ['a worker takes all', {}, 'Deployment', 'x-motia-worker-all', (it) => container(it).args, ['worker']],
  [
    'parts of the app',
    everything,
    'Deployment',
    'x-motia-worker-web',
    (it) => container(it).args,
    ['worker', '--steps=Order', '--steps=Invoice', '--flows=web', '--concurrency=20', '--threads=4'],
  ],
  [
    'Python',
    everything,
    'Deployment',
    'x-motia-python-worker-ml',
    (it) => [container(it).args, container(it).image, it.spec.replicas],
    [['python-worker', '--flows=ml', '--processes=2'], 'registry.example/shop:v1-python', 3],
  ],
  [
    'names with blanks in them',
    group({ topics: ['a b', 'order.*'] }),
    'Deployment',
    'x-motia-worker-all',
    (it) => container(it).args,
    ['worker', '--topics=a b', '--topics=order.*'],
  ],
  [
    'resources',
    group({ resources: { requests: { memory: '1Gi' } } }),
    'Deployment',
    'x-motia-worker-all',
    (it) => container(it).resources,
    { requests: { memory: '1Gi' } },
  ],
  ['replicas', group({ replicas: 7 }), 'Deployment', 'x-motia-worker-all', (it) => it.spec.replicas, 7],
  [
    'environment',
    { env: { A: 1, B: 'x' }, ...group({ env: { B: 'y' } }) },
    'Deployment',
    'x-motia-worker-all',
    (it) => [environment(it).A, environment(it).B],
    ['1', 'y'],
  ],
  [
    'secrets of the app',
    everything,
    'Deployment',
    'x-motia-scheduler',
    (it) => container(it).envFrom,
    [{ secretRef: { name: 'shop' } }],
  ],
  [
    'two schedulers',
    {},
    'Deployment',
    'x-motia-scheduler',
    (it) => [it.spec.replicas, container(it).args],
    [2, ['scheduler']],
  ],
  ['three replicas on three servers', {}, 'Deployment', 'x-motia-gateway', (it) => environment(it).MOTIA_REPLICAS, '3'],
  [
    'one on one',
    { nats: { replicas: 1 } },
    'Deployment',
    'x-motia-gateway',
    (it) => environment(it).MOTIA_REPLICAS,
    '1',
  ],
  [
    'replicas as asked for',
    { nats: { streamReplicas: 1 } },
    'Deployment',
    'x-motia-gateway',
    (it) => environment(it).MOTIA_REPLICAS,
    '1',
  ],
  [
    'none said for an external broker',
    external,
    'Deployment',
    'x-motia-gateway',
    (it) => environment(it).MOTIA_REPLICAS,
    undefined,
  ],
  [
    'an external broker',
    external,
    'Deployment',
    'x-motia-scheduler',
    (it) => [environment(it).NATS_URL, environment(it).NATS_USER, environment(it).NATS_CREDS, environment(it).NATS_CA],
    ['tls://nats.example:4222', undefined, '/etc/motia/nats/app.creds', '/etc/motia/nats/ca.crt'],
  ],
  [
    'its secret is mounted',
    external,
    'Deployment',
    'x-motia-scheduler',
    (it) => it.spec.template.spec.volumes.at(-1),
    { name: 'nats', secret: { secretName: 'nats' } },
  ],
  [
    'our own broker',
    {},
    'Deployment',
    'x-motia-gateway',
    (it) => [environment(it).NATS_URL, environment(it).NATS_PASSWORD],
    ['nats://x-motia-nats:4222', { secretKeyRef: { name: 'x-motia-nats-auth', key: 'password' } }],
  ],
  [
    'the authority of an external broker, and a key in place of a login',
    externalAccess,
    'Deployment',
    'x-motia-scheduler',
    (it) => [environment(it).NATS_NKEY, environment(it).NATS_USER, environment(it).NATS_CA],
    ['/etc/motia/access/scheduler.nk', undefined, '/etc/motia/nats/ca.crt'],
  ],
  [
    'what the servers let each role do, beside their own configuration',
    access,
    'StatefulSet',
    'x-motia-nats',
    (it) => it.spec.template.spec.volumes[0].projected.sources,
    [
      { configMap: { name: 'x-motia-nats' } },
      { secret: { name: 'access', items: [{ key: 'access.conf', path: 'access.conf' }] } },
    ],
  ],
  [
    'consumers of an account',
    access,
    'ScaledObject',
    'x-motia-worker-bill',
    (it) => it.spec.triggers[0].metadata.account,
    'shop',
  ],
  [
    'an admin token of your own',
    { admin: { existingSecret: 'mine', key: 'k' } },
    'Deployment',
    'x-motia-gateway',
    (it) => environment(it).MOTIA_ADMIN_TOKEN,
    { secretKeyRef: { name: 'mine', key: 'k' } },
  ],
  [
    'no admin API',
    { admin: { enabled: false } },
    'Deployment',
    'x-motia-gateway',
    (it) => environment(it).MOTIA_ADMIN_TOKEN,
    undefined,
  ],
  ['no Workbench', {}, 'Deployment', 'x-motia-gateway', (it) => environment(it).MOTIA_WORKBENCH, undefined],
  ['the Workbench', everything, 'Deployment', 'x-motia-gateway', (it) => environment(it).MOTIA_WORKBENCH, 'on'],
  ['a gateway that is scaled', everything, 'Deployment', 'x-motia-gateway', (it) => it.spec.replicas, undefined],
  [
    'by processor time',
    everything,
    'HorizontalPodAutoscaler',
    'x-motia-gateway',
    (it) => [it.spec.minReplicas, it.spec.maxReplicas],
    [2, 10],
  ],
  [
    'workers by processor time',
    everything,
    'HorizontalPodAutoscaler',
    'x-motia-worker-web',
    (it) => [it.spec.minReplicas, it.spec.scaleTargetRef.name],
    [2, 'x-motia-worker-web'],
  ],
  [
    'workers by their queue, down to none',
    everything,
    'ScaledObject',
    'x-motia-worker-paid',
    (it) => [it.spec.minReplicaCount, it.spec.triggers],
    [
      0,
      [
        {
          type: 'prometheus',
          metadata: {
            serverAddress: 'http://prometheus-operated.monitoring.svc:9090',
            threshold: '50',
            query:
              'sum(motia_queue_depth{app="shop",topic=~"order\\\\.paid"}) + sum(motia_queue_in_flight{app="shop",topic=~"order\\\\.paid"})',
          },
        },
      ],
    ],
  ],
  [
    'by steps',
    { app: 'shop', ...group({ steps: ['a', 'b'], autoscaling: { by: 'queue' } }) },
    'ScaledObject',
    'x-motia-worker-all',
    (it) => it.spec.triggers[0].metadata.query,
    'sum(motia_queue_depth{app="shop",step=~"a|b"}) + sum(motia_queue_in_flight{app="shop",step=~"a|b"})',
  ],
  [
    'by consumers',
    everything,
    'ScaledObject',
    'x-motia-worker-bill',
    (it) => it.spec.triggers,
    [
      {
        type: 'nats-jetstream',
        metadata: {
          natsServerMonitoringEndpoint: 'x-motia-nats-headless.default.svc:8222',
          account: '$G',
          stream: 'shop_EVENTS',
          consumer: 'Bill__paid',
          lagThreshold: '50',
        },
      },
    ],
  ],
  [
    'an ingress',
    everything,
    'Ingress',
    'x-motia-gateway',
    (it) => [it.spec.ingressClassName, it.spec.rules[0].host, it.spec.tls[0].secretName],
    ['nginx', 'shop.example', 'tls'],
  ],
  [
    'a service of another type',
    { gateway: { service: { type: 'LoadBalancer', port: 8080 } } },
    'Service',
    'x-motia-gateway',
    (it) => [it.spec.type, it.spec.ports[0].port],
    ['LoadBalancer', 8080],
  ],
  [
    'disk of the broker',
    everything,
    'StatefulSet',
    'x-motia-nats',
    (it) => it.spec.volumeClaimTemplates[0].spec,
    { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
  ],
  [
    'who may reach the broker',
    {},
    'NetworkPolicy',
    'x-motia-nats',
    (it) => [it.spec.ingress[0].ports[0].port, it.spec.ingress[0].from[0].podSelector.matchLabels['motia/uses-broker']],
    [4222, 'true'],
  ],
  [
    'who may reach the gateways',
    { networkPolicy: { gatewayFrom: [{ ipBlock: { cidr: '10.0.0.0/8' } }] } },
    'NetworkPolicy',
    'x-motia-gateway',
    (it) => it.spec.ingress,
    [{ ports: [{ protocol: 'TCP', port: 3000 }], from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
  ],
  [
    'who may read metrics',
    {},
    'NetworkPolicy',
    'x-motia-metrics',
    (it) => it.spec.ingress[0].from[0].namespaceSelector.matchLabels,
    { 'kubernetes.io/metadata.name': 'monitoring' },
  ],
  ['metrics are read', everything, 'PodMonitor', 'x-motia', (it) => it.spec.podMetricsEndpoints[0].port, 'ops'],
  ['names', { fullnameOverride: 'shop' }, 'Deployment', 'shop-worker-all', (it) => it.kind, 'Deployment'],
];

/** Values that are refused, and what helm says. */
export const REFUSED: [what: string, values: Values, says: RegExp][] = [
  ['no image', { image: { repository: '', tag: '' } }, /image.repository is the image of your app/],
  ['a word that is not known', { gatway: {} }, /additional properties 'gatway' not allowed/],
  ['another in a group', group({ topic: ['a'] }), /additional properties 'topic' not allowed/],
  ['a group without a name', { workers: [{}] }, /missing property 'name'/],
  ['an external broker without an address', { nats: { enabled: false } }, /nats.url is the address/],
  ['both brokers', { nats: { url: 'nats://a:4222' } }, /set nats.enabled to false/],
  ['more replicas than servers', { nats: { replicas: 1, streamReplicas: 3 } }, /cannot be more than nats.replicas/],
  ['two servers, which agree on nothing', { nats: { replicas: 2 } }, /nats\/replicas/],
  ['a Workbench without a token', { workbench: { enabled: true }, admin: { enabled: false } }, /needs admin.enabled/],
  ['scaling by processor time down to none', group({ autoscaling: { by: 'cpu', minReplicas: 0 } }), /minReplicas/],
  [
    'scaling by the queue of flows whose steps are not named',
    group({ flows: ['a'], autoscaling: { by: 'queue' } }),
    /autoscaling.stepIds of the workers "all"/,
  ],
  [
    'scaling by consumers that are not named',
    { app: 'shop', ...group({ autoscaling: { by: 'consumers' } }) },
    /autoscaling.consumers of the workers "all"/,
  ],
  ['an ingress without a host', { gateway: { ingress: { enabled: true } } }, /gateway.ingress.hosts/],
];
