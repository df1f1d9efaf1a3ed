using System.Buffers;
using Slipway.Documents.Access;

namespace Slipway.Server.Api;

/// <summary>What webhooks may be called: a name stands in paths and on command lines.</summary>
internal static class WebhookName
{
    public const string Allowed = "letters, digits, - _ and .";

    private static readonly SearchValues<char> Characters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    public static bool IsValid(string name) => name.Length is > 0 and <= Principal.LongestName && name.AsSpan().IndexOfAnyExcept(Characters) < 0;
}
