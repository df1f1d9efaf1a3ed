using System.Globalization;

namespace Slipway.Bench.Store;

/// <summary>What the kernel counted of a process.</summary>
/// <param name="Read">Bytes that its system calls read, from wherever.</param>
/// <param name="Peak">Kilobytes.</param>
internal sealed record Usage(long Read, long Written, long Peak)
{
    /// <returns>Null when it has ended.</returns>
    public static Usage? Of(int id)
    {
        try
        {
            var io = File.ReadLines($"/proc/{id}/io").Select(line => line.Split(": ")).ToDictionary(pair => pair[0], pair => long.Parse(pair[1], CultureInfo.InvariantCulture));
            var peak = File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
            return new Usage(io["rchar"], io["wchar"], long.Parse(peak, CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
