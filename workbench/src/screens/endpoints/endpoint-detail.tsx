/** One endpoint: the request that is put together, and the answer to it. */
import { BookOpen, CircleX, History, Play, RotateCcw, Terminal } from 'lucide-react';
import { useState } from 'react';
import type { StepEntry } from '../../api/types.ts';
import { useShortcut } from '../../lib/shortcuts.ts';
import { useUrlState } from '../../lib/url-state.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { toast } from '../../ui/toast.tsx';
import { AuthEditor } from './auth-editor.tsx';
import { BodyEditor } from './body-editor.tsx';
import { type Files, hasBody, toCurl, toRequest, variablesOf } from './draft.ts';
import styles from './endpoint-detail.module.css';
import { FieldsEditor } from './fields-editor.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { Method } from './method.tsx';
import { PathEditor } from './path-editor.tsx';
import { ResponseView } from './response-view.tsx';
import { SpecPanel } from './spec-panel.tsx';
import { useAuth, useDraft, useHistory } from './store.ts';
import { useCall } from './use-call.ts';
import { problemsOf } from './validate.ts';

type TabId = 'params' | 'body' | 'headers' | 'auth';

export function EndpointDetail({ step }: { step: StepEntry }) {
  const [draft, change, reset] = useDraft(step);
  const [auth, setAuth] = useAuth();
  const [sent, keep, clear] = useHistory(step);
  const [files, setFiles] = useState<Files>({});
  const [tab, setTab] = useState<TabId>(hasBody(step) ? 'body' : 'params');
  const [{ panel }, setState] = useUrlState('panel');
  const { call, send, cancel, close } = useCall(step.id, ({ status, ms }) =>
    keep({ at: Date.now(), status, ms, draft }),
  );
  const problems = draft.bodyKind === 'json' ? problemsOf(draft.text, step.bodySchema) : [];
  const variables = variablesOf(step);
  const missing = variables.filter(({ name, isOptional }) => !isOptional && !draft.path[name]);
  const parts = () => toRequest(step, draft, auth, files);
  const submit = () => void send(parts());
  useShortcut('Mod+Enter', 'Send the request', submit);
  const copyCurl = async () => {
    await navigator.clipboard.writeText(toCurl(parts(), window.location.origin));
    toast('Copied as cURL');
  };
  const on = (fields: readonly { isOn: boolean }[]) => fields.filter(({ isOn }) => isOn).length;
  const closePanel = () => setState({ panel: '' });
  return (
    <div className={styles.screen}>
      <div className={styles.detail} data-testid="endpoint-details-panel">
        <header className={styles.header}>
          <div className={styles.line}>
            <Method name={step.method ?? ''} />
            <h2 className={styles.path}>{step.path}</h2>
            <div className={styles.actions}>
              <IconButton label="Begin anew with an example" icon={RotateCcw} onClick={reset} />
              <IconButton label="Copy as cURL" icon={Terminal} onClick={copyCurl} data-testid="endpoint-curl-button" />
              <Button
                look="quiet"
                icon={History}
                aria-pressed={panel === 'history'}
                onClick={() => setState({ panel: panel === 'history' ? '' : 'history' })}
              >
                History
              </Button>
              <Button
                look="quiet"
                icon={BookOpen}
                aria-pressed={panel === 'spec'}
                data-testid="endpoint-spec-button"
                onClick={() => setState({ panel: panel === 'spec' ? '' : 'spec' })}
              >
                Spec
              </Button>
              {call?.isBusy ? (
                <Button icon={CircleX} onClick={cancel}>
                  Cancel
                </Button>
              ) : (
                <Button
                  look="primary"
                  icon={Play}
                  onClick={submit}
                  title="Ctrl Enter"
                  data-testid="endpoint-play-button"
                >
                  Send
                </Button>
              )}
            </div>
          </div>
          {step.description !== undefined && <p className={styles.about}>{step.description}</p>}
          {missing.length > 0 && (
            <p className={styles.warning}>
              {missing.map(({ name }) => `:${name}`).join(', ')} {missing.length === 1 ? 'is' : 'are'} still empty.
            </p>
          )}
        </header>
        <div className={styles.panes}>
          <section className={styles.pane} aria-label="Request">
            <Tabs<TabId>
              label="Parts of the request"
              tabs={[
                {
                  id: 'params',
                  title: 'Params',
                  count: variables.length + on(draft.query),
                  testId: 'endpoint-params-tab',
                },
                ...(hasBody(step)
                  ? [{ id: 'body' as const, title: 'Body', count: problems.length, testId: 'endpoint-body-tab' }]
                  : []),
                { id: 'headers', title: 'Headers', count: on(draft.headers), testId: 'endpoint-headers-tab' },
                { id: 'auth', title: 'Auth', count: auth.kind === 'none' ? 0 : 1 },
              ]}
              value={tab}
              onChange={setTab}
            >
              {tab === 'params' && <PathEditor step={step} draft={draft} onChange={change} />}
              {tab === 'body' && (
                <BodyEditor draft={draft} onChange={change} problems={problems} files={files} onFiles={setFiles} />
              )}
              {tab === 'headers' && (
                <FieldsEditor
                  label="Headers"
                  noun="header"
                  fields={draft.headers}
                  onChange={(headers) => change({ headers })}
                />
              )}
              {tab === 'auth' && <AuthEditor auth={auth} onChange={setAuth} />}
            </Tabs>
          </section>
          <section className={styles.pane} aria-label="Answer">
            <ResponseView call={call} onClose={close} auth={auth} />
          </section>
        </div>
      </div>
      {panel === 'spec' && <SpecPanel step={step} onClose={closePanel} />}
      {panel === 'history' && (
        <HistoryPanel sent={sent} onClear={clear} onClose={closePanel} onChoose={({ draft }) => change(draft)} />
      )}
    </div>
  );
}
