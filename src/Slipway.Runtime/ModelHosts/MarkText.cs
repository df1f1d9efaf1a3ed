using System.Text;

namespace Slipway.Runtime.ModelHosts;

/// <summary>What every mark says in words: two lines, which start of the machine it was made in, and the model's name.</summary>
internal static class MarkText
{
    /// <summary>Differs after every start of the machine. Source: random(4), "/proc interfaces".</summary>
    private static readonly string machineStart = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    public static byte[] Of(HostedModel model) => Encoding.UTF8.GetBytes($"{machineStart}\n{model.Name}\n");

    /// <returns>The model's name; null when the machine has started again since, which no model brings about: the mark accuses nobody.</returns>
    public static string? ModelOf(string text) => text.Split('\n') is [var start, var model, ..] && start == machineStart ? model : null;
}
