import styles from './Logo.module.css';

/** A cup that is a speech bubble: a Klatch is talk over coffee. */
export function Logo({ size = 32 }: { size?: number }) {
  return (
    <svg
      className={styles.logo}
      width={size}
      height={size}
      viewBox="0 0 48 48"
      aria-hidden="true"
      focusable="false"
    >
      <path className={styles.cup} d="M7 17h28v13a10 10 0 0 1-10 10h-4l-7 6v-6.4A10 10 0 0 1 7 30V17Z" />
      <path className={styles.handle} d="M35 20.5h2.5a5.5 5.5 0 0 1 0 11H35" />
      <path className={styles.steam} d="M15.5 11.5c-1.8-2.5 1.8-4 0-6.8M26.5 11.5c-1.8-2.5 1.8-4 0-6.8" />
    </svg>
  );
}
