namespace Slipway.Tests.Server.Rollouts;

/// <summary>The system's clock, until somebody sets it forward or back; what measures time that passes is untouched, as on a real machine.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long offset;

    public void Step(TimeSpan by) => Interlocked.Add(ref offset, by.Ticks);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref offset));
}
