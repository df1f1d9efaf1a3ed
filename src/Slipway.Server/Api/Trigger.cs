using Slipway.Primitives.Faults;

namespace Slipway.Server.Api;

/// <summary>What a retraining rule may start, set up by the server's operator under a name that plans know it by.</summary>
/// <param name="Name">As plans have it.</param>
/// <param name="Command">An executable file, absolute; null for a webhook.</param>
/// <param name="Webhook">Name of the webhook that gets the event; null for a command.</param>
public sealed record Trigger(string Name, string? Command, string? Webhook)
{
    private const string WebhookPrefix = "webhook:";

    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The command's PATH and HOME: beside what it is told of the event it gets nothing of the server's environment.</summary>
    public string Path { get; init; } = "/usr/local/bin:/usr/bin:/bin";

    /// <inheritdoc cref="Path"/>
    public string Home { get; init; } = "/";

    /// <summary>Reads <c>NAME=FILE</c> or <c>NAME=webhook:NAME</c>.</summary>
    /// <exception cref="SlipwayException">Neither of both, or a file that everybody may change (exit 2); no such file, or none that can be run (exit 3).</exception>
    public static Trigger Parse(string text)
    {
        var (name, what) = text.IndexOf('=') is > 0 and var at ? (text[..at], text[(at + 1)..]) : ("", "");
        if (name.Length == 0 || what.Length == 0 || what == WebhookPrefix)
            throw Unusable($"'{text}' is no trigger", "write NAME=FILE, such as retrain=/opt/slipway/retrain.sh, or NAME=webhook:NAME");
        if (what.StartsWith(WebhookPrefix, StringComparison.Ordinal))
            return new(name, null, what[WebhookPrefix.Length..]);
        if (!System.IO.Path.IsPathRooted(what))
            throw Unusable($"trigger {name} is '{what}', which depends on where the server is started", "write the command's absolute path; its arguments belong into a script");
        if (!File.Exists(what))
            throw new SlipwayException(ExitCode.NotThere, new Fault("trigger-missing", $"the command of trigger {name} is not there", what));
        var mode = File.GetUnixFileMode(what);
        if ((mode & Executable) == 0)
            throw new SlipwayException(ExitCode.NotThere, new Fault("trigger-not-executable", $"the command of trigger {name} is not an executable file", what, Help: $"chmod +x {what}"));
        if (mode.HasFlag(UnixFileMode.OtherWrite))
            throw Unusable($"everybody on this machine may change {what}, which trigger {name} runs as the server", $"chmod o-w {what}");
        return new(name, what, null);
    }

    private static SlipwayException Unusable(string message, string help) => new(ExitCode.UnusableInput, new Fault("bad-trigger", message, Help: help));
}
