/** Lines of an editor that are set off from the others. */
import { type EditorState, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView } from '@codemirror/view';

type Ranges = readonly (readonly [from: number, to: number])[];

const setRanges = StateEffect.define<Ranges>();
const line = Decoration.line({ class: 'cm-set-off' });

const field = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(current, { effects, state }) {
    const effect = effects.find((one) => one.is(setRanges));
    return effect ? decorate(state, effect.value as Ranges) : current;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function decorate({ doc }: EditorState, ranges: Ranges): DecorationSet {
  const lines = new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, n) => from + n)));
  const known = [...lines].filter((number) => number >= 1 && number <= doc.lines).sort((a, b) => a - b);
  return Decoration.set(known.map((number) => line.range(doc.line(number).from)));
}

/** @param ranges line numbers, from 1; the first is scrolled to. */
export function highlightLines(view: EditorView, ranges: Ranges): void {
  if (view.state.field(field, false) === undefined) view.dispatch({ effects: StateEffect.appendConfig.of(field) });
  const [first] = ranges[0] ?? [];
  const { doc } = view.state;
  const at = first !== undefined && first >= 1 && first <= doc.lines ? doc.line(first).from : undefined;
  view.dispatch({
    effects: [
      setRanges.of(ranges),
      ...(at === undefined ? [] : [EditorView.scrollIntoView(at, { y: 'start', yMargin: 60 })]),
    ],
  });
}
