/** The items of a group, and what happens to them. */
import { Plus, Send } from 'lucide-react';
import { everyBySize } from '../../api/hooks.ts';
import type { Page, StreamItem } from '../../api/types.ts';
import { useList } from '../../api/use-list.ts';
import { inLine } from '../../lib/json-text.ts';
import { toPart } from '../../lib/path-part.ts';
import { useUrlState, useWithSearch } from '../../lib/url-state.ts';
import { Badge } from '../../ui/badge.tsx';
import { ButtonLink } from '../../ui/button.tsx';
import { FilterBar, SearchField } from '../../ui/filters.tsx';
import { Screen } from '../../ui/screen.tsx';
import { ErrorState, Loading } from '../../ui/states.tsx';
import { Tabs } from '../../ui/tabs.tsx';
import { nameText } from '../states/name-text.ts';
import { Happenings } from './happenings.tsx';
import { Items } from './items.tsx';
import { streamHref } from './stream-list.tsx';
import styles from './streams.module.css';
import { type LiveFeed, useFeed } from './use-feed.ts';

interface Props {
  stream: string;
  group: string;
  /** Id of the item that is open. */
  selected: string | undefined;
}

/** Larger groups are read in pages, and not followed: all of their items would come at once. */
const MOST_FOLLOWED = 500;

export function GroupView({ stream, group, selected }: Props) {
  const [{ view, text }, setState] = useUrlState('view', 'text');
  const withSearch = useWithSearch(['view', 'text']);
  const list = useList<Page<StreamItem>, 'items'>(`/streams/${toPart(stream)}/groups/${toPart(group)}/items`, {
    ...{ field: 'items', by: 'after', limit: MOST_FOLLOWED, every: everyBySize },
  });
  const feed = useFeed(stream, group, !list.isLoading && !list.hasMore);
  const items = feed.state === 'live' ? [...feed.items.values()] : list.rows;
  const rows = items.filter((item) => inLine(item, 5_000).toLowerCase().includes(text.toLowerCase()));
  const here = streamHref(stream, group);
  const tabs = [
    { id: 'items', title: 'Items', count: items.length },
    { id: 'happenings', title: 'What happens', count: feed.happenings.length },
  ] as const;
  return (
    <>
      <FilterBar
        end={
          <>
            <FeedState feed={feed} isLarge={list.hasMore} />
            <ButtonLink icon={Send} href={`${here}?panel=send`}>
              Send
            </ButtonLink>
            <ButtonLink icon={Plus} href={`${here}?panel=new`}>
              Add
            </ButtonLink>
          </>
        }
      >
        <strong className={styles.name}>{nameText(group)}</strong>
        <SearchField label="Search items" value={text} onChange={(text) => setState({ text })} />
      </FilterBar>
      {list.isLoading ? (
        <Loading label="Loading items" />
      ) : list.error && list.rows.length === 0 ? (
        <ErrorState error={list.error} what="Items could not be read" onRetry={list.restart} />
      ) : (
        <Tabs
          label="Group"
          tabs={tabs}
          value={view === 'happenings' ? 'happenings' : 'items'}
          onChange={(id) => setState({ view: id === 'items' ? '' : id })}
        >
          <Screen>
            {view === 'happenings' ? (
              <Happenings feed={feed} />
            ) : (
              <Items
                rows={rows}
                stream={stream}
                isFiltered={text !== ''}
                selected={selected}
                href={(id) => withSearch(streamHref(stream, group, id))}
                onEnd={feed.state === 'live' ? undefined : list.loadMore}
              />
            )}
          </Screen>
        </Tabs>
      )}
    </>
  );
}

function FeedState({ feed: { state, reason }, isLarge }: { feed: LiveFeed; isLarge: boolean }) {
  const why = isLarge ? `There are more than ${MOST_FOLLOWED} items: they are read in pages` : reason;
  return (
    <span role="status" title={why}>
      <Badge tone={state === 'live' ? 'ok' : 'warn'} dot>
        {state === 'live' ? 'Live' : state === 'off' ? 'Every 2 s' : 'Connecting'}
      </Badge>
    </span>
  );
}
