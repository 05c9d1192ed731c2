/** A few numbers as a line, the newest at the right. */
import styles from './sparkline.module.css';

const WIDTH = 84;
const HEIGHT = 20;

/** @param most how many fit: fewer begin further right. */
export function Sparkline({ values, most = 60 }: { values: readonly number[]; most?: number }) {
  const top = Math.max(...values, 1);
  const step = WIDTH / (most - 1);
  const y = (value: number) => HEIGHT - 1 - (value / top) * (HEIGHT - 3);
  const points = values.map((value, at) => `${WIDTH - (values.length - 1 - at) * step},${y(value)}`);
  const [firstX = WIDTH] = points[0]?.split(',') ?? [];
  return (
    <svg
      className={styles.spark}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden
      data-flat={values.every((value) => value === 0) || undefined}
    >
      <polygon points={`${firstX},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} className={styles.area} />
      <polyline points={points.join(' ')} className={styles.line} />
    </svg>
  );
}
