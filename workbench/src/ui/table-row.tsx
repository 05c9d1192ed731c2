// biome-ignore-all lint/a11y/useSemanticElements: rows are placed one by one, which those of a table element cannot be
// biome-ignore-all lint/a11y/useFocusableInteractive: the link of a row has the focus
/** A row of a table. It is drawn once, however far one scrolls, unless something of it changes. */
import { memo } from 'react';
import { Link } from 'wouter';
import { classNames } from './class-names.ts';
import styles from './table.module.css';
import type { Column } from './table.tsx';

interface TableRowProps<Row> {
  row: Row;
  index: number;
  columns: readonly Column<Row>[];
  /** Pixels below the head. */
  top: number;
  href: string | undefined;
  isSelected: boolean;
  testId: string | undefined;
  className: string | undefined;
}

function PlainRow<Row>({ row, index, columns, top, href, isSelected, testId, className }: TableRowProps<Row>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      data-testid={testId}
      data-selected={isSelected || undefined}
      className={classNames(styles.row, href !== undefined && styles.clickable, className)}
      style={{ transform: `translateY(${top}px)` }}
    >
      {columns.map(({ id, align, cell }, at) => {
        const content = cell(row, index);
        return (
          <div key={id} role="cell" className={classNames(styles.cell, align === 'right' && styles.right)}>
            {at > 0 || href === undefined ? (
              content
            ) : (
              <Link href={href} className={styles.link}>
                {content}
              </Link>
            )}
          </div>
        );
      })}
    </div>
  );
}

export const TableRow = memo(PlainRow) as typeof PlainRow;
