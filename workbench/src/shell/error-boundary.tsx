/** Keeps what breaks in one screen there: the others, and the way to them, stay. */
import { Bug, RotateCw } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import styles from './error-boundary.module.css';

interface Props {
  /** Name of the screen. */
  what: string;
  children: ReactNode;
}

export class ErrorBoundary extends Component<Props, { error?: Error | undefined }> {
  override state: { error?: Error | undefined } = {};

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div role="alert" className={styles.broken}>
        <Bug size={28} strokeWidth={1.5} aria-hidden />
        <h2>{this.props.what} has broken</h2>
        <p>This is a mistake of the Workbench; your app is not touched by it. The other screens go on.</p>
        <details className={styles.details}>
          <summary>{error.message || error.name}</summary>
          <pre>{error.stack}</pre>
        </details>
        <Button icon={RotateCw} onClick={() => this.setState({ error: undefined })}>
          Try again
        </Button>
      </div>
    );
  }
}
