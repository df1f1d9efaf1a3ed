using System.Diagnostics;

namespace Slipway.Tests.Primitives;

/// <summary>Waits for what another process does; the time is only how long a test that fails takes.</summary>
internal static class Eventually
{
    public static Task True(Func<bool> condition, TimeSpan patience) => TrueAsync(() => Task.FromResult(condition()), patience);

    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan patience)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(clock.Elapsed < patience, "it never happened");
            await Task.Delay(10);
        }
    }
}
