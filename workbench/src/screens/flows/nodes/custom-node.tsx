/** A node that a component of the project's own shows. It runs with the React of the page, and with our nodes to build on. */
import { Position } from '@xyflow/react';
import * as React from 'react';
import { API } from '../../../api/address.ts';
import { offer } from '../../../lib/offered-modules.ts';
import { BaseHandle } from './base-handle.tsx';
import { BaseNode } from './base-node.tsx';
import styles from './custom-node.module.css';
import { ApiNode, CronNode, EventNode, type KindProps, NoopNode } from './kinds.tsx';

offer({ ApiNode, EventNode, CronNode, NoopNode, BaseNode, BaseHandle, Position });

const KINDS = { api: ApiNode, event: EventNode, cron: CronNode, noop: NoopNode };
type Component = React.ComponentType<KindProps>;

const loaded = new Map<string, React.LazyExoticComponent<Component>>();

/** Once for each step, until the page is loaded again. */
function componentOf(step: string): Component {
  let component = loaded.get(step);
  if (!component) {
    const url = `${API}/steps/${encodeURIComponent(step)}/node.js?at=${Date.now()}`;
    component = React.lazy(async () => {
      const { Node, default: main = Node }: { Node?: Component; default?: Component } = await import(
        /* @vite-ignore */ url
      );
      if (!main) throw new Error('its file exports neither Node nor a default');
      return { default: main };
    });
    loaded.set(step, component);
  }
  return component;
}

export function CustomNode(props: KindProps) {
  const Own = componentOf(props.data.id);
  const Plain = KINDS[props.data.type];
  return (
    <Fallback node={<Plain {...props} />}>
      <React.Suspense fallback={<Plain {...props} />}>
        <Own {...props} />
      </React.Suspense>
    </Fallback>
  );
}

/** The usual node, and why it is not the project's own. */
class Fallback extends React.Component<{ node: React.ReactNode; children: React.ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): React.ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div title={error.message}>
        {this.props.node}
        <p className={styles.error}>Its own component does not work: {error.message}</p>
      </div>
    );
  }
}
