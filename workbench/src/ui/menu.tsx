/** A button that opens a list of places to go to. */
import { ChevronDown } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { classNames } from './class-names.ts';
import styles from './menu.module.css';

export interface MenuItem {
  id: string;
  title: string;
  /** Small, at the right. */
  detail?: ReactNode;
  href: string;
  testId?: string;
}

interface MenuProps {
  /** What is chosen here, for those who hear the page. */
  label: string;
  /** What is chosen now. */
  value: string;
  items: readonly MenuItem[];
  testId?: string;
  /** Class names of the list and of its items, for tests of projects. */
  hooks?: { list: string; item: string };
}

export function Menu({ label, value, items, testId, hooks }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    place.current?.querySelector<HTMLElement>('[aria-current], a')?.focus();
    const onPointer = ({ target }: PointerEvent) => {
      if (!place.current?.contains(target as Node)) setOpen(false);
    };
    window.addEventListener('pointerdown', onPointer);
    return () => window.removeEventListener('pointerdown', onPointer);
  }, [isOpen]);
  const onKeyDown = (event: KeyboardEvent) => {
    const links = [...(place.current?.querySelectorAll<HTMLElement>('a') ?? [])];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      setOpen(false);
      button.current?.focus();
    } else if (step !== undefined) {
      event.preventDefault();
      if (!isOpen) return setOpen(true);
      const at = links.indexOf(document.activeElement as HTMLElement);
      links[(at + step + links.length) % links.length]?.focus();
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the button and the links within
    <div ref={place} className={styles.menu} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className={styles.button}
        aria-expanded={isOpen}
        aria-label={`${label}: ${value}`}
        data-testid={testId}
        onClick={() => setOpen(!isOpen)}
      >
        <span className={styles.value}>{value}</span>
        <ChevronDown size={14} aria-hidden />
      </button>
      {isOpen && (
        <ul className={classNames(styles.list, hooks?.list)} aria-label={label}>
          {items.map(({ id, title, detail, href, testId }) => (
            <li key={id}>
              <Link
                href={href}
                className={classNames(styles.item, hooks?.item)}
                aria-current={title === value || undefined}
                data-testid={testId}
                onClick={() => setOpen(false)}
              >
                <span>{title}</span>
                <span className={styles.detail}>{detail}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
