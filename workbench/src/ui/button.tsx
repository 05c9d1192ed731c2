/** Buttons, and links that look like them. */
import type { LucideIcon } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { Link } from 'wouter';
import styles from './button.module.css';
import { classNames } from './class-names.ts';

interface Look {
  /** `primary`: the one thing to do here. `danger`: cannot be taken back. Default: plain. */
  look?: 'plain' | 'primary' | 'danger' | 'quiet' | undefined;
  icon?: LucideIcon | undefined;
}

type ButtonProps = Look & ComponentProps<'button'>;

export function Button({ look = 'plain', icon: Icon, children, className, ...rest }: ButtonProps) {
  return (
    <button type="button" className={classNames(styles.button, styles[look], className)} {...rest}>
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </button>
  );
}

/** Only an icon: `label` is its name and its tooltip. */
export function IconButton({
  label,
  icon: Icon,
  className,
  ...rest
}: Look & { label: string } & ComponentProps<'button'>) {
  return (
    <button type="button" aria-label={label} title={label} className={classNames(styles.icon, className)} {...rest}>
      {Icon && <Icon size={16} aria-hidden />}
    </button>
  );
}

export function ButtonLink({
  look = 'plain',
  icon: Icon,
  href,
  children,
}: Look & { href: string; children: ReactNode }) {
  return (
    <Link href={href} className={classNames(styles.button, styles[look])}>
      {Icon && <Icon size={14} aria-hidden />}
      {children}
    </Link>
  );
}
