/** Whether the gateway is ready for requests, and why it is not. */
import { useQuery } from '@tanstack/react-query';
import { EVERY } from '../api/hooks.ts';
import type { Readiness } from '../api/types.ts';
import { Badge, type Tone } from '../ui/badge.tsx';

interface Health {
  tone: Tone;
  word: string;
  reason: string;
}

async function askHealth({ signal }: { signal: AbortSignal }): Promise<Health> {
  const response = await fetch('/health/ready', { headers: { accept: 'application/json' }, signal });
  const { reasons = [] } = ((await response.json().catch(() => ({}))) ?? {}) as Readiness;
  if (response.ok) return { tone: 'ok', word: 'Ready', reason: 'The gateway takes requests' };
  return { tone: 'warn', word: 'Not ready', reason: reasons.join('; ') || `It answers ${response.status}` };
}

const AWAY: Health = { tone: 'bad', word: 'Away', reason: 'The gateway does not answer' };

export function HealthDot() {
  const { data, isError } = useQuery({
    queryKey: ['health'],
    queryFn: askHealth,
    refetchInterval: EVERY.live,
    retry: false,
  });
  const { tone, word, reason } = isError ? AWAY : (data ?? { tone: 'plain', word: '…', reason: 'Asking' });
  return (
    <span title={reason} role="status">
      <Badge tone={tone} dot>
        {word}
      </Badge>
    </span>
  );
}
