using System.Globalization;

namespace Slipway.Runtime.Sandbox;

/// <summary>What an enclosed command uses at one moment, with all that it started.</summary>
/// <param name="Memory">Bytes of its own and shared memory; what the kernel keeps of files for it does not count.</param>
/// <param name="Processors">How many it kept busy since the sample before; 0 and above.</param>
public readonly record struct PresentUse(long Memory, double Processors);

/// <summary>Tells what an enclosed command uses, once a second; nothing where it has no control group.</summary>
/// <remarks>For people who watch: processors are counted from the processes that live, so that what ended between two samples is not seen.</remarks>
public sealed class UseSampler : IAsyncDisposable
{
    /// <summary>How often it looks; a command that is over sooner is not looked at.</summary>
    private static readonly TimeSpan every = TimeSpan.FromSeconds(1);

    /// <summary>Members beyond it are not counted, for reading them would cost more than knowing is worth.</summary>
    private const int MostMembers = 1_000;

    /// <summary>Of <c>/proc/PID/stat</c>, in every kernel that is configured as Linux on servers is: <c>sysconf(_SC_CLK_TCK)</c>.</summary>
    private const double TicksPerSecond = 100;

    private readonly CancellationTokenSource ended = new();
    private readonly Task sampling;
    private volatile string? folder;

    /// <param name="tell">Not called any more once this is disposed.</param>
    public UseSampler(TimeProvider clock, Action<PresentUse> tell) => sampling = SampleAsync(clock, tell);

    /// <summary>Of the group's members from now on, where there is one.</summary>
    public void Watch(ControlGroup? group) => folder = group?.Folders[0];

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await sampling;
        ended.Dispose();
    }

    private async Task SampleAsync(TimeProvider clock, Action<PresentUse> tell)
    {
        using var timer = new PeriodicTimer(every, clock);
        var before = (Ticks: 0L, At: clock.GetTimestamp());
        try
        {
            while (await timer.WaitForNextTickAsync(ended.Token))
            {
                if (folder is not { } group || Read(group) is not { } read)
                {
                    before.At = clock.GetTimestamp();       // it has not begun
                    continue;
                }

                var now = clock.GetTimestamp();
                var seconds = clock.GetElapsedTime(before.At, now).TotalSeconds;
                // A process that ended takes its ticks with it.
                tell(new PresentUse(read.Memory, seconds > 0 ? Math.Max(0, read.Ticks - before.Ticks) / TicksPerSecond / seconds : 0));
                before = (read.Ticks, now);
            }
        }
        catch (OperationCanceledException)
        {
            // The command has ended.
        }
    }

    /// <returns>Null when the group is gone.</returns>
    private static (long Memory, long Ticks)? Read(string folder)
    {
        try
        {
            var memory = File.ReadLines(Path.Combine(folder, "memory.stat"))
                .Select(line => line.Split(' ')).Where(words => words is ["anon" or "shmem" or "total_rss" or "total_shmem", _])
                .ToDictionary(words => words[0], words => long.Parse(words[1], CultureInfo.InvariantCulture));
            // Version 1 has both: of the group alone, and in total with those below it.
            var used = memory.TryGetValue("total_rss", out var rss) ? rss + memory.GetValueOrDefault("total_shmem") : memory.GetValueOrDefault("anon") + memory.GetValueOrDefault("shmem");
            return (used, File.ReadLines(Path.Combine(folder, "cgroup.procs")).Take(MostMembers).Sum(Ticks));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Of a process and its children that ended: fields 14 to 17 of <c>/proc/PID/stat</c> (proc_pid_stat(5)), counted from the end of the name, which may hold anything.</summary>
    private static long Ticks(string process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ') is { Length: > 14 } fields ? fields[11..15].Sum(field => long.Parse(field, CultureInfo.InvariantCulture)) : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;       // it has ended meanwhile
        }
    }
}
