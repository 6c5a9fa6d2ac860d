<?php

declare(strict_types=1);

namespace Example\Library;

use Example\Shelf;

const LOANS = 5;

interface Lendable
{
    public function lend(string $to): void;
}

trait Counts
{
    private int $count = 0;
}

/**
 * A book that can be lent.
 */
#[Entity]
final class Book extends Item implements Lendable
{
    use Counts;

    public const PAGES = 200;
    protected ?string $reader = null;

    public function __construct(private string $title)
    {
        parent::__construct();
    }

    public function lend(string $to): void
    {
        if ($this->reader !== null) {
            throw new \RuntimeException('already lent');
        }
        $this->reader = $to;
        $this->count++;
    }
}

enum Genre: string
{
    case Novel = 'novel';
}

function find(string $title): ?Book
{
    return Shelf::all()[$title] ?? null;
}
