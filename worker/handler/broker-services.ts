/** What handlers reach on the broker. Its modules are loaded and the connection is made when there is time for it. */
import type { BlobStore } from '../../shared/broker/blobs.ts';
import type { EventStore } from '../../shared/broker/events.ts';
import type { StateStore } from '../../shared/broker/state.ts';
import type { StreamStore } from '../../shared/broker/streams.ts';
import type { BrokerAddress } from '../../shared/config.ts';
import type { Names } from '../../shared/protocol/subjects.ts';
import type { ConnectedServices } from './connected-services.ts';

export interface BrokerServices {
  /** Connects in a moment, at the latest when a service is asked for. */
  connectSoon: () => void;
  /** Each service at once if the connection stands, otherwise when it does. */
  events: () => EventStore | Promise<EventStore>;
  /** @param confined for a step that names its groups: where the broker is locked, its user may reach no others. */
  state: (confined: boolean) => StateStore | Promise<StateStore>;
  streams: () => StreamStore | Promise<StreamStore>;
  bodies: () => BlobStore | Promise<BlobStore>;
  close: () => Promise<void>;
}

/** Until then the processors are for what makes the worker ready. */
const CONNECT_AFTER_MS = 100;

/** The services of a handler thread. Whoever asks for one waits for the connection, and hears if there is none. */
export function deferredServices(address: BrokerAddress, names: Names): BrokerServices {
  let connecting: Promise<ConnectedServices> | undefined;
  let services: ConnectedServices | undefined;
  const connected = () => {
    if (!connecting) {
      connecting = loadModules().then(({ connect }) => connect(address, names));
      connecting.then(
        (ready) => {
          services = ready;
        },
        () => {
          connecting = undefined; // the next one tries again
        },
      );
    }
    return connecting;
  };
  return {
    connectSoon: () => void setTimeout(() => connected().catch(() => {}), CONNECT_AFTER_MS).unref(),
    events: () => services?.events ?? connected().then(({ events }) => events),
    state: (confined) =>
      services ? storeFor(services, confined) : connected().then((ready) => storeFor(ready, confined)),
    streams: () => services?.streams ?? connected().then(({ streams }) => streams),
    bodies: () => services?.bodies ?? connected().then(({ bodies }) => bodies),
    close: async () => {
      const ready = await connecting?.catch(() => undefined);
      await ready?.broker.close();
    },
  };
}

const storeFor = ({ state, ownState }: ConnectedServices, confined: boolean) => (confined ? ownState : state);

/** A thread that has not been given steps within this time is in reserve. */
const IN_RESERVE_AFTER_MS = 1_000;

/** Loads the modules without connecting: a thread that waits for its steps has the time, one that serves has not. */
export const loadModulesWhenIdle = (): NodeJS.Timeout => setTimeout(loadModules, IN_RESERVE_AFTER_MS).unref();

const loadModules = () => import('./connected-services.ts');
