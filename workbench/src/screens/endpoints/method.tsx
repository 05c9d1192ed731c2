/** An HTTP method, always in the same colour. */
import styles from './method.module.css';

export const Method = ({ name }: { name: string }) => (
  <span className={styles.method} data-method={name}>
    {name === 'DELETE' ? 'DEL' : name}
  </span>
);
