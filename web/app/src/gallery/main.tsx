import '@klatch/views/base.css';
import { stories } from '@klatch/views/stories';
import { createRoot } from 'react-dom/client';
import styles from './gallery.module.css';

// Every story of the views: a list, or one by its name after `#`. For looking at, and for axe in a real browser; not shipped.

function Gallery() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const story = stories.find(({ name }) => name === wanted);
  if (story) return <div data-story={story.name}>{story.render()}</div>;
  return (
    <main className={styles.gallery}>
      <h1>Gallery</h1>
      <ul>
        {stories.map(({ name }) => (
          <li key={name}>
            <a href={`#${name}`}>{name}</a>
          </li>
        ))}
      </ul>
    </main>
  );
}

const element = document.getElementById('root');
if (element) {
  const root = createRoot(element);
  const draw = () => root.render(<Gallery key={location.hash} />);
  window.addEventListener('hashchange', draw);
  draw();
}
