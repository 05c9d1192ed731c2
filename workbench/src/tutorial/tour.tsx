/** Leads through the page, step by step, as a tutorial of the project has it. Its class names are those of Motia 0.17, which tests of projects look for. */
import { X } from 'lucide-react';
import { type CSSProperties, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { TutorialStep } from '../../../workbench.ts';
import { useShortcut } from '../lib/shortcuts.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { classNames } from '../ui/class-names.ts';
import { toast } from '../ui/toast.tsx';
import { loadTutorial, prepare } from './steps.ts';
import styles from './tour.module.css';

export default function Tour({ onClose }: { onClose: () => void }) {
  const [steps, setSteps] = useState<readonly TutorialStep[]>();
  const [at, setAt] = useState(0);
  useEffect(() => {
    loadTutorial()
      .then(setSteps)
      .catch((error: Error) => {
        toast(`The tutorial does not work: ${error.message}`, 'bad');
        onClose();
      });
  }, [onClose]);
  const step = steps?.[at];
  if (!steps || !step) return null;
  return <Shown key={at} step={step} at={at} count={steps.length} onAt={setAt} onClose={onClose} />;
}

interface ShownProps {
  step: TutorialStep;
  at: number;
  count: number;
  onAt: (at: number) => void;
  onClose: () => void;
}

function Shown({ step, at, count, onAt, onClose }: ShownProps) {
  const [about, setAbout] = useState<{ element: Element | undefined }>();
  useEffect(() => {
    const ended = new AbortController();
    void prepare(step, ended.signal).then((element) => ended.signal.aborted || setAbout({ element }));
    return () => ended.abort();
  }, [step]);
  const isLast = at === count - 1;
  const next = () => (isLast ? onClose() : onAt(at + 1));
  useShortcut('Escape', 'Close the tutorial', onClose);
  useShortcut('ArrowRight', 'Next step of the tutorial', next);
  useShortcut('ArrowLeft', 'Previous step of the tutorial', () => onAt(Math.max(at - 1, 0)));
  const box = useBox(about?.element);
  const card = useRef<HTMLDivElement>(null);
  const place = usePlace(card, box, about !== undefined);
  const { title, description: Description, image, link } = step;
  if (!about) return null;
  return (
    <>
      <div className={styles.light} data-whole={!box || undefined} style={box && cssOf(box)} aria-hidden />
      <div
        ref={card}
        role="dialog"
        aria-label={`Tutorial: ${title}`}
        className={classNames('driver-popover', styles.card)}
        style={place}
      >
        {image && isOwn(image.src) && <img src={image.src} height={image.height} alt="" className={styles.image} />}
        <div className={styles.head}>
          <h2 className="popover-title">{title}</h2>
          <IconButton label="Close the tutorial" icon={X} onClick={onClose} />
        </div>
        <div className={styles.text}>
          <Description />
          {link !== undefined && (
            <a href={link} target="_blank" rel="noreferrer">
              More about it: {new URL(link, location.href).host}
            </a>
          )}
        </div>
        <div className={styles.foot}>
          <span>
            {at + 1} / {count}
          </span>
          {!isLast && (
            <Button look="quiet" className="tutorial-opt-out-button" onClick={onClose}>
              Close
            </Button>
          )}
          {at > 0 && (
            <Button className="driver-popover-prev-btn" onClick={() => onAt(at - 1)}>
              Back
            </Button>
          )}
          <Button look="primary" className="driver-popover-next-btn" onClick={next}>
            {isLast ? 'Finish' : 'Continue'}
          </Button>
        </div>
      </div>
    </>
  );
}

/** Nothing is loaded from elsewhere: the policy of the page forbids it. */
const isOwn = (src: string) => new URL(src, location.href).origin === location.origin || src.startsWith('data:');

type Box = Pick<DOMRect, 'top' | 'left' | 'width' | 'height'>;

const cssOf = ({ top, left, width, height }: Box): CSSProperties => ({ top, left, width, height });
/** How often it is looked where the element is: it moves as a graph or a list does. */
const LOOK_EVERY_MS = 200;
const GAP = 12;

function useBox(element: Element | undefined): Box | undefined {
  const [box, setBox] = useState<Box>();
  useEffect(() => {
    if (!element) return;
    const look = () => {
      const { top, left, width, height } = element.getBoundingClientRect();
      setBox((before) =>
        before && JSON.stringify(before) === JSON.stringify({ top, left, width, height })
          ? before
          : { top, left, width, height },
      );
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [element]);
  return box;
}

/** Beside the box where there is room, else in the middle of the page. */
function usePlace(card: { current: HTMLElement | null }, box: Box | undefined, isShown: boolean): CSSProperties {
  const [place, setPlace] = useState<CSSProperties>({});
  useLayoutEffect(() => {
    if (!isShown || !card.current) return;
    const { offsetWidth: width, offsetHeight: height } = card.current;
    setPlace(placeOf(box, width, height, window.innerWidth, window.innerHeight));
  }, [card, box, isShown]);
  return place;
}

function placeOf(box: Box | undefined, width: number, height: number, right: number, bottom: number): CSSProperties {
  const within = (value: number, most: number) => Math.max(GAP, Math.min(value, most - GAP));
  const middle = { left: (right - width) / 2, top: Math.max(GAP, (bottom - height) / 2) };
  if (!box) return middle;
  const top = within(box.top, bottom - height);
  const left = within(box.left, right - width);
  if (box.left + box.width + GAP + width < right) return { left: box.left + box.width + GAP, top };
  if (box.left - GAP - width > 0) return { left: box.left - GAP - width, top };
  if (box.top + box.height + GAP + height < bottom) return { left, top: box.top + box.height + GAP };
  if (box.top - GAP - height > 0) return { left, top: box.top - GAP - height };
  return middle;
}
