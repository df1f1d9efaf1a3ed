namespace Slipway.Server.Api;

/// <summary>What a retraining rule may start, set up by the server's operator under a name that plans know it by.</summary>
/// <param name="Name">As plans have it.</param>
/// <param name="Command">An executable file, absolute; null for a webhook.</param>
/// <param name="Webhook">Name of the webhook that gets the event; null for a command.</param>
public sealed record Trigger(string Name, string? Command, string? Webhook)
{
    /// <summary>The command's PATH and HOME: beside what it is told of the event it gets nothing of the server's environment.</summary>
    public string Path { get; init; } = "/usr/local/bin:/usr/bin:/bin";

    /// <inheritdoc cref="Path"/>
    public string Home { get; init; } = "/";
}
