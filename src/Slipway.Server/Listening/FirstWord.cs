using Microsoft.AspNetCore.Connections;

namespace Slipway.Server.Listening;

/// <summary>
/// Whether a connection has asked anything yet. One that is opened and says nothing is closed as soon as one that is slow to say what it
/// wants: the patience with connections that are kept between requests is for those who have made one.
/// </summary>
internal sealed class FirstWord
{
    private volatile bool said;

    /// <summary>A request's headers are here.</summary>
    public void Say() => said = true;

    /// <summary>Runs a connection, which has this long for its first request.</summary>
    public static async Task AwaitAsync(ConnectionContext connection, ConnectionDelegate next, TimeSpan patience, TimeProvider time)
    {
        var word = new FirstWord();
        connection.Features.Set(word);
        using var waiting = new CancellationTokenSource(patience, time);
        await using var ending = waiting.Token.Register(() =>
        {
            if (!word.said)
                connection.Abort(new ConnectionAbortedException("no request came"));
        });
        await next(connection);
    }
}
