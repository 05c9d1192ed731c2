/** One call at a time of an endpoint: its answer as it comes, and its trace when that is found. */
import { useEffect, useRef, useState } from 'react';
import type { RequestParts } from './draft.ts';
import { findTrace, newTraceparent } from './find-trace.ts';
import { type Answer, sendRequest } from './send-request.ts';

export interface Call {
  answer?: Answer;
  /** There is no answer. */
  error?: string;
  isBusy: boolean;
  /** `searching`, its id, or `none`. */
  trace?: { state: 'searching' | 'none' } | { state: 'found'; id: string };
}

/** @param onDone told of the end of each call. */
export function useCall(step: string, onDone: (answer: Answer) => void) {
  const [call, setCall] = useState<Call>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const send = async (parts: RequestParts): Promise<void> => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const isCurrent = () => running.current === controller;
    const traceparent = newTraceparent();
    const sentAt = Date.now();
    setCall({ isBusy: true });
    let last: Answer | undefined;
    try {
      await sendRequest(parts, traceparent, controller.signal, (answer) => {
        last = answer;
        if (isCurrent()) setCall({ answer, isBusy: !answer.isDone });
      });
      if (last) onDone(last);
    } catch (error) {
      const why = controller.signal.aborted ? 'You cancelled it.' : `There was no answer: ${(error as Error).message}`;
      if (isCurrent()) setCall({ isBusy: false, error: why });
      return;
    }
    if (!isCurrent()) return;
    setCall((now) => ({ isBusy: false, ...now, trace: { state: 'searching' } }));
    const id = await findTrace(step, traceparent, sentAt).catch(() => undefined);
    if (isCurrent()) {
      setCall((now) => ({
        isBusy: false,
        ...now,
        trace: id === undefined ? { state: 'none' } : { state: 'found', id },
      }));
    }
  };
  return { call, send, cancel: () => running.current?.abort(), close: () => setCall(undefined) };
}
