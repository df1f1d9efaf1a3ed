using System.Runtime.CompilerServices;

namespace Slipway.Runtime.Tensors;

/// <summary>The shape that nested arrays spell out, found while they are read; the arrays of one level must be of one length.</summary>
internal struct NestedShape
{
    private Levels counts, sizes;
    private int leaf, deepest;

    /// <summary>Arrays that are open.</summary>
    public int Depth { get; private set; }

    /// <summary>Whether there was more than one level.</summary>
    public readonly bool IsNested => deepest > 1;

    /// <summary>Valid after the outermost array was closed.</summary>
    public readonly long[] Sizes => [.. ((ReadOnlySpan<long>)sizes)[..deepest]];

    /// <returns>False where elements stand beside arrays, or at too many levels.</returns>
    public bool Open()
    {
        if (Depth == Tensor.MaxRank || (leaf > 0 && Depth + 1 > leaf))
            return false;
        counts[Depth++] = 0;
        deepest = Math.Max(deepest, Depth);
        return true;
    }

    /// <returns>False where this array is not as long as those before it at its level, or is empty.</returns>
    public bool Close()
    {
        var level = --Depth;
        if (counts[level] == 0 || (sizes[level] > 0 && sizes[level] != counts[level]))
            return false;
        sizes[level] = counts[level];
        if (level > 0)
            counts[level - 1]++;
        return true;
    }

    /// <returns>False where elements stand at different levels.</returns>
    public bool Element()
    {
        if (leaf == 0)
            leaf = Depth;
        if (leaf != Depth || deepest != Depth)
            return false;
        counts[Depth - 1]++;
        return true;
    }

    [InlineArray(Tensor.MaxRank)]
    private struct Levels
    {
        private long first;
    }
}
