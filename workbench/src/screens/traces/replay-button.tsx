/** Has a request or an event again that a trace tells of, and goes to the trace of that. */
import { RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api } from '../../api/client.ts';
import { useChange } from '../../api/hooks.ts';
import type { SpanNode, TracePage } from '../../api/types.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { toast } from '../../ui/toast.tsx';

interface Replayed {
  traceId: string;
  /** Of a request. */
  status?: number;
}

const TRIES = 20;
const WAIT_MS = 250;

/** What processes tell of a trace is stored a moment later. */
async function untilStored(traceId: string): Promise<void> {
  for (let n = 0; n < TRIES; n++) {
    const { traces } = await api<TracePage>('/traces', { query: { text: traceId, limit: 1 } });
    if (traces.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
}

/** A request, or an attempt at an event. */
const isReplayable = ({ kind, missing }: SpanNode): boolean => !missing && (kind === 'server' || kind === 'consumer');

export function ReplayButton({ span }: { span: SpanNode }) {
  const [isAsked, setAsked] = useState(false);
  const [, navigate] = useLocation();
  const change = useChange<Replayed>('/traces');
  if (!isReplayable(span)) return null;
  const isRequest = span.kind === 'server';
  const replay = async () => {
    const path = `/traces/${span.traceId}/spans/${span.spanId}/replay`;
    const { traceId, status } = await change.mutateAsync({ path, body: {} });
    await untilStored(traceId);
    toast(status === undefined ? 'The event is on its way again' : `The request was answered with ${status}`);
    navigate(`/traces/${traceId}`);
  };
  return (
    <>
      <Button look="quiet" icon={RotateCcw} onClick={() => setAsked(true)}>
        Replay
      </Button>
      {isAsked && (
        <Confirm
          title={isRequest ? `Send ${span.name} again?` : `Have ${span.name} again?`}
          action="Replay"
          look="primary"
          onConfirm={replay}
          onClose={() => setAsked(false)}
        >
          {isRequest
            ? 'The recorded request is sent to the app once more, as it was. What its handler did, it does again.'
            : 'The recorded event goes to this step once more, and to no other. What its handler did, it does again.'}
        </Confirm>
      )}
    </>
  );
}
