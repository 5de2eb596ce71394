import styles from './MembersView.module.css';

/** Shapes of a list while it loads. */
export function ListSkeleton({ count = 6 }: { count?: number }) {
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <span key={index} className={styles.ghost} />
      ))}
    </div>
  );
}
