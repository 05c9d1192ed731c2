/** The source of a step in place of a panel, while the URL asks for it: lines of a stack lead there, and closing leads back. */
import type { ReactNode } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useUrlState } from '../../lib/url-state.ts';
import { Panel } from '../../ui/panel.tsx';
import { SourceView } from './source-view.tsx';

export function useSource(): {
  /** What is shown instead of the panel, if a source is asked for. */
  panel: ReactNode | undefined;
  /** Where one is shown. */
  href: (step: string, line?: number) => string;
} {
  const [{ source, line }, setState] = useUrlState('source', 'line');
  const [path] = useLocation();
  const [params] = useSearchParams();
  const href = (step: string, at?: number) => {
    const next = new URLSearchParams(params);
    next.set('source', step);
    if (at !== undefined) next.set('line', String(at));
    return `${path}?${next}`;
  };
  if (source === '') return { panel: undefined, href };
  const panel = (
    <Panel
      title={source}
      label={`Source of ${source}`}
      width={640}
      onClose={() => setState({ source: undefined, line: undefined })}
    >
      <SourceView step={source} line={Number(line) || undefined} />
    </Panel>
  );
  return { panel, href };
}
