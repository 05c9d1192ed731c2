/** The items of a group as clients of the stream see them, as long as somebody looks. */
import { useEffect, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { followBy } from '../../api/follow.ts';
import { useVisible } from '../../lib/use-visible.ts';
import { applyFrames, EMPTY, type Feed, type Frame } from './frames.ts';

const FLUSH_MS = 100;

export interface LiveFeed extends Feed {
  /** `off`: it may not be followed, or need not be. */
  state: 'connecting' | 'live' | 'off';
  /** Why it is not followed. */
  reason?: string | undefined;
}

/** @param enabled whether to follow at all. */
export function useFeed(stream: string, group: string, enabled: boolean): LiveFeed {
  const [feed, setFeed] = useState<Feed>(EMPTY);
  const [state, setState] = useState<Pick<LiveFeed, 'state' | 'reason'>>({ state: 'connecting' });
  const isVisible = useVisible();
  useEffect(() => {
    if (!isVisible || !enabled) return;
    let frames: Frame[] = [];
    let flush: ReturnType<typeof setTimeout> | undefined;
    const url = `/__motia/streams/${encodeURIComponent(stream)}/${encodeURIComponent(group)}`;
    const end = followBy<Frame>((signal) => openStream(url, signal), {
      onMessage: (frame) => {
        frames.push(frame);
        flush ??= setTimeout(() => {
          const came = frames;
          frames = [];
          flush = undefined;
          setFeed((feed) => applyFrames(feed, came));
        }, FLUSH_MS);
      },
      onState: (isOpen, error) => {
        const isRefused = error instanceof ApiError && error.status >= 400 && error.status < 500;
        setState({ state: isOpen ? 'live' : isRefused ? 'off' : 'connecting', reason: error?.message });
        if (isRefused) end();
      },
    });
    return () => {
      clearTimeout(flush);
      end();
    };
  }, [stream, group, enabled, isVisible]);
  return { ...feed, ...(enabled ? state : { state: 'off' }) };
}

/** Without the admin token: who may follow is said by the project. */
async function openStream(url: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, { signal, headers: { accept: 'text/event-stream' } });
  if (response.ok) return response;
  const reasons: Record<number, string> = {
    401: 'streamAuth of the project lets only its own clients in',
    403: 'canAccess of the stream lets only its own clients in',
  };
  throw new ApiError(response.status, reasons[response.status] ?? `The gateway answered ${response.status}`);
}
