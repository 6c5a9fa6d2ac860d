import React, { useState } from 'react';

interface Props {
  title: string;
  onClose?: () => void;
}

export const Shelf: React.FC<Props> = ({ title, onClose }) => {
  const [open, setOpen] = useState(false);
  const toggle = () => setOpen(!open);

  return (
    <section className="shelf">
      <h2 onClick={toggle}>{title}</h2>
      {open && <button onClick={onClose}>Close the shelf</button>}
    </section>
  );
};

export default function App() {
  return <Shelf title="Jam" />;
}

class Jar extends React.Component<Props> {
  render() {
    return <div>{this.props.title}</div>;
  }
}
