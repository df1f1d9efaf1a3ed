namespace Slipway.Gateway.Admission;

/// <summary>Bounds the bytes of bodies that are held at once, counted as they arrive: who says that much will come takes nothing from others. Thread-safe.</summary>
internal sealed class BodyBudget
{
    /// <summary>Bytes of all large bodies together.</summary>
    public const long Limit = 256L * 1024 * 1024;

    /// <summary>
    /// Bytes of a body that are not counted: the number of connections bounds them, so that a few large bodies that stand still do not
    /// turn away the small ones.
    /// </summary>
    public const long Free = 32 * 1024;

    private long held;

    /// <param name="charged">What this body has been charged so far; raised to <paramref name="length"/> on success.</param>
    /// <returns>False when the budget is spent; nothing more is charged then.</returns>
    public bool TryCharge(ref long charged, long length)
    {
        var more = Math.Max(0, length - Free) - charged;
        if (more <= 0)
            return true;
        if (Interlocked.Add(ref held, more) > Limit)
        {
            Interlocked.Add(ref held, -more);
            return false;
        }

        charged += more;
        return true;
    }

    public void Release(ref long charged)
    {
        if (charged > 0)
            Interlocked.Add(ref held, -charged);
        charged = 0;
    }
}
